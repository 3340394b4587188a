"""What the model is given to read: context that people paste, and text from elsewhere."""
