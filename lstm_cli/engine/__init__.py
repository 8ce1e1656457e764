"""What training and prediction share: models built, compiled, evaluated, and the memory that their batches take."""
