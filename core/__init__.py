"""What every adapter shares: personalities, sessions, retrieval, toil, and the model behind them."""
