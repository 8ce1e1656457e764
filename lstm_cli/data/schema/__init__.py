"""What the columns of a data set are and hold, and how they become arrays."""
