"""Writes the files by which systemd, Compose, Kubernetes and Helm run the service. Pure: settings in, texts out.

`service_plan` has the values, each other module one format. `core.cli.export` reads the settings and writes the files.
"""
