"""A page that needs no template and no framework: for the script's port, and for when an app's own pages fail."""

from __future__ import annotations

import html

from .problems import Problem

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<body style="font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem">
<h1 style="font-size: 1.5rem">{title}</h1>{lines}</body></html>
"""


def plain_page(title: str, *lines: str) -> str:
    """Return a whole page in HTML; the texts are escaped."""
    text = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
    return _PAGE.format(title=html.escape(title), lines=text)


def problem_page(problem: Problem, *details: str, login_url: str = "", request_id: str = "") -> str:
    """Return the page for a failure: what happened, what is particular to this case, what to do, code and request."""
    page = plain_page(problem.title, problem.happened, *details, problem.todo)
    link = f'<p><a href="{html.escape(login_url)}">Sign in with Box</a></p>' if login_url else ""
    request = f" Request: <code>{html.escape(request_id)}</code>" if request_id else ""
    return page.replace("</body>", f"{link}<p>Code: <code>{html.escape(problem.code)}</code>{request}</p></body>")
