"""A first config for a data file: from what the file shows to a commented YAML file that trains as it is.

`look` reads the files, `tables` finds what names sequences and orders steps, `facts` counts what columns hold,
`targets` finds what can be predicted and `inputs` what from, `settings` and `series` choose the rest of the section
`data`, `network` writes out what the other sections are without a word, and `text` writes it down. `draft` puts them
together.
"""
