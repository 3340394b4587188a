"""The papers that a department publishes about a service, written from its configuration.

`service_facts` collects what they state; `rendering` writes them from the templates of `config/papers/`. A template in
the folder `papers` of the operator's own configuration replaces a shipped one.
"""
