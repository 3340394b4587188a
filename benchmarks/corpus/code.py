"""Code, configuration, logs and plain text."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus import Sample

PYTHON = '''\
import math


def area(radius: float) -> float:
    """Returns the area of a circle.

    >>> round(area(2), 2)
    12.57
    """
    if radius < 0:
        raise ValueError("a radius is positive")

    return math.pi * radius**2
'''
YAML = """\
service:
  name: library
  ports:
    - 8080
    - 8443
  limits:
    memory: 512Mi
    # Raised after the outage of May 2026.
    timeout_s: 30
"""
SQL = """\
-- Leave that ends this year.
SELECT employee.name, leave.ends_on
  FROM employee
  JOIN leave ON leave.employee_id = employee.id
 WHERE leave.ends_on < DATE '2027-01-01'
 ORDER BY leave.ends_on;
"""
LOG = """\
2026-05-02 08:00:01 INFO  started   pid=118
2026-05-02 08:00:04 WARN  slow_disk wait_ms=412
2026-05-02 08:00:09 ERROR no_space  path=/var/data
"""


def samples() -> Iterator[Sample]:
    yield Sample("area.py", "text/x-python", PYTHON.encode(), PYTHON)
    yield Sample("service.yaml", "application/x-yaml", YAML.encode(), YAML)
    yield Sample("leave.sql", "application/sql", SQL.encode(), SQL)
    yield Sample("server.log", "application/octet-stream", LOG.encode(), LOG)
