"""Settings of the documentation: ``sphinx-build -W --keep-going -b html docs OUT``, without a network."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the working tree's package, not an installed one

project = "lstm-cli"
author = "lstm-cli contributors"
version = release = version_of("lstm-cli")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
smartquotes = False  # it would turn the -- of options into a dash
exclude_patterns = ["_build"]
nitpicky = False  # types of PyTensor and numpy are named in signatures; their pages are not here

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"lstm-cli {version}"
html_show_copyright = False
html_extra_path = ["../lstm_cli/config/lstm-config.schema.json"]
