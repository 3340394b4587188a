"""The process of one adapter (`process`) and its HTTP server (`webhook_server`)."""
