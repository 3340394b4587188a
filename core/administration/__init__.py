"""The service as its administrators see it: figures, models, queue, collections, and the metrics of all processes.

desk             what the page /admin shows, read when somebody looks
process_metrics  the Prometheus metrics of every process of this machine in one text
"""
