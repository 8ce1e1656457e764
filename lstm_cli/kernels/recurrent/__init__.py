"""A recurrent layer over a padded batch, forward and backward."""
