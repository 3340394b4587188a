"""The web process: sockets, HTTP endpoints and the page, over `core.contract.Engine`."""
