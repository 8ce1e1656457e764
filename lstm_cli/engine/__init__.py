"""What training and prediction share: a model's compiled functions, how they are fed, its scores, threads."""
