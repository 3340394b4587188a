"""Reads CSV, JSON and workbooks as tables.

csv_table, json_data      one format each
workbook        workbooks; xlsx, xlsx_texts, ods, calamine_book read them into `sheets`
records         the first table of a sheet as rows for a job
bounded_package reads the parts of a workbook within limits
"""
