"""Who may use what: names of callers, allow lists, API keys, and limits of use."""
