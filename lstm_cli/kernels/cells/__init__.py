"""The recurrent cells, one file each: the one declaration that all else derives from."""
