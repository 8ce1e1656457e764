"""The columns of a data set and their contents, and how sequences become arrays.

The layout is plain data, inferred from the config and the raw sequences (`inference`). It determines how sequences are
parsed to typed records (`parsing`), the schema is fitted (`fitting`) and records are encoded (`encoding`).
"""
