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

TYPESCRIPT = """\
export function total(fees: readonly number[]): number {
  return fees.reduce((sum, fee) => sum + fee, 0);
}
"""
XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<project>
  <name>library</name>
  <dependency scope="test">parser</dependency>
</project>
"""
SHELL = """\
#!/bin/sh
set -e
for file in *.csv; do
  sort "$file" > "sorted-$file"
done
"""
INI = """\
[database]
host = localhost
; the port of the replica
port = 5433
"""
TOML = """\
[tool.report]
title = "Rapport d'été"
pages = [1, 2, 3]
"""
ALIGNED = """\
Region      Employees   Vacant
Atlantic    412         38
Pacific     377         21
"""
DIFF = """\
--- a/fees.txt
+++ b/fees.txt
@@ -1 +1 @@
-The fee is $20 a day.
+The fee is $25 a day.
"""


def samples() -> Iterator[Sample]:
    yield Sample("area.py", "text/x-python", PYTHON.encode(), PYTHON)
    yield Sample("service.yaml", "application/x-yaml", YAML.encode(), YAML)
    yield Sample("leave.sql", "application/sql", SQL.encode(), SQL)
    yield Sample("server.log", "application/octet-stream", LOG.encode(), LOG)
    yield Sample("total.ts", "video/mp2t", TYPESCRIPT.encode(), TYPESCRIPT)
    yield Sample("project.xml", "text/xml", XML.encode(), XML)
    yield Sample("sort.sh", "application/x-sh", SHELL.encode(), SHELL)
    yield Sample("database.ini", "", INI.encode("utf-16"), INI)
    yield Sample("report.toml", "application/toml", TOML.encode("cp1252"), TOML)
    yield Sample("regions.txt", "text/plain", ALIGNED.encode(), ALIGNED)
    yield Sample("fees.diff", "text/x-diff", DIFF.encode(), DIFF)
    yield Sample(
        "Dockerfile", "application/octet-stream", b"FROM debian\nRUN apt-get update\n", "FROM debian RUN apt get update"
    )
