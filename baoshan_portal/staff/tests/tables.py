"""Tables as people send them back: what the portal gave out, with other cells."""

from measures.spreadsheets import Column, Kind, Sheet, csv_lines, workbook


def csv_file(headers, rows) -> bytes:
    return "".join(csv_lines(_columns(headers), rows, last=True)).encode()


def xlsx_file(headers, rows) -> bytes:
    return workbook([Sheet("", _columns(headers), rows)], last=True)


def _columns(headers) -> list[Column]:
    return [Column(header, kind=Kind.NUMBER) for header in headers]
