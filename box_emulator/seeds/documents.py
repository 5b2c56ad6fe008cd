"""Documents written by code: small, valid, and without any library."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from xml.sax.saxutils import escape

_LINES = 46  # of a page
_A4 = "[0 0 595 842]"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org"
_RELATIONS = f"{_OFFICE}/package/2006/relationships"


@cache
def pdf(title: str, text: str) -> bytes:
    """A PDF with a heading and lines of text, on as many pages as it takes; letters of Western Europe only."""
    lines = text.strip().split("\n")
    pages = [lines[start : start + _LINES] for start in range(0, len(lines), _LINES)]
    objects = ["<< /Type /Catalog /Pages 2 0 R >>".encode("cp1252")]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    for number, page in enumerate(pages):
        shown = f"BT /F1 18 Tf 60 770 Td ({_pdf_text(title if not number else '')}) Tj ET\n"
        shown += "BT /F1 11 Tf 15 TL 60 735 Td\n" + "".join(f"({_pdf_text(line)}) Tj T*\n" for line in page) + "ET"
        content, font = shown.encode("cp1252"), "<< /Font << /F1 3 0 R >> >>"
        contents = f"/Contents {5 + 2 * number} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox {_A4} /Resources {font} {contents} >>".encode())
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    written, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return bytes(written + f"{end}startxref\n{len(written)}\n%%EOF\n".encode())


def spreadsheet(rows: Sequence[Sequence[str | float]]) -> bytes:
    """An Excel workbook (.xlsx) with one sheet."""
    cells = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    main = f"{_OFFICE}/spreadsheetml/2006/main"
    sheet = '<sheet name="Sheet1" sheetId="1" r:id="rId1"/>'
    relations = f'xmlns:r="{_OFFICE}/officeDocument/2006/relationships"'
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{main}" {relations}><sheets>{sheet}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    kinds = {"/xl/workbook.xml": "spreadsheetml.sheet.main", "/xl/worksheets/sheet1.xml": "spreadsheetml.worksheet"}
    return _package("xl/workbook.xml", parts, kinds)


def letter(text: str) -> bytes:
    """A Word document (.docx) of paragraphs, a line each."""
    lines = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in text.split("\n")
    )
    namespace = f'xmlns:w="{_OFFICE}/wordprocessingml/2006/main"'
    body = f"<w:document {namespace}><w:body>{lines}</w:body></w:document>"
    kinds = {"/word/document.xml": "wordprocessingml.document.main"}
    return _package("word/document.xml", {"word/document.xml": body}, kinds)


def csv(rows: Sequence[Sequence[str | float]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def _package(first: str, parts: Mapping[str, str], kinds: Mapping[str, str]) -> bytes:
    """Pack the parts of an Office document (ECMA-376, part 2)."""
    xml = "application/vnd.openxmlformats-officedocument."
    types = "".join(f'<Override PartName="{name}" ContentType="{xml}{kind}+xml"/>' for name, kind in kinds.items())
    rels = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    default = rels + '<Default Extension="xml" ContentType="application/xml"/>'
    content_types = f'<Types xmlns="{_OFFICE}/package/2006/content-types">{default}{types}</Types>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        whole = {"[Content_Types].xml": content_types, "_rels/.rels": _relation("officeDocument", first), **parts}
        for name, part in whole.items():  # a ZipInfo, so that the time of day makes no difference
            archive.writestr(zipfile.ZipInfo(name), _XML + part, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _relation(kind: str, target: str) -> str:
    kind = f"{_OFFICE}/officeDocument/2006/relationships/{kind}"
    relation = f'<Relationship Id="rId1" Type="{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_RELATIONS}">{relation}</Relationships>'


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def _pdf_text(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
