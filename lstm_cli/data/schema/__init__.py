"""What the columns of a data set are and hold, and how sequences become arrays.

The layout is plain data. It is inferred from the config and the raw sequences (`inference`); by it sequences are parsed
to typed records (`parsing`), the schema is fitted (`fitting`), and records are encoded (`encoding`).
"""
