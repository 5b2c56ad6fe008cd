"""Where in a folder's long list a page is, and how the list is sorted."""

from dataclasses import dataclass

from flask import request

from box_auth.flask import box

SIZE = 50  # items on a page
LAST_PAGE = 200  # Box takes no offset above 9999; behind that there are only markers (guides, pagination)
FIELDS = ["name", "size", "modified_at", "etag", "url"]
ORDERS = ("name", "size", "date")
LAST = 9900  # the highest offset that the shorter lists ask for, so that a whole page is behind it


@dataclass(frozen=True)
class Listing:
    """A page has a number or, behind the last offset, the marker that Box gave for it. ``query`` leads to a page."""

    folder_id: str
    sort: str = "name"
    direction: str = "ASC"
    page: int = 1
    marker: str | None = None

    @classmethod
    def of(cls, folder_id, args):
        """Read a query; what makes no sense in it is left out."""
        sort = args["sort"] if args.get("sort") in ORDERS else "name"
        direction = "DESC" if args.get("direction") == "DESC" else "ASC"
        page = max(1, min(args.get("page", 1, type=int), LAST_PAGE))
        return cls(folder_id, sort, direction, page, args.get("marker"))

    @property
    def sortable(self):
        """Box sorts the root folder by offsets alone."""
        return self.marker is None or self.folder_id != "0"

    def load(self):
        """Return Box's list: ``entries``, and ``total_count`` or ``next_marker``."""
        if self.marker is None:
            return self._ask(fields=FIELDS, limit=SIZE, offset=(self.page - 1) * SIZE)
        marker = self.marker or self._marker_behind_offsets()
        return self._ask(fields=FIELDS, limit=SIZE, usemarker=True, marker=marker)

    def before(self):
        if self.marker is not None:
            return self.query(page=LAST_PAGE if self.sortable else 1)
        return self.query(page=self.page - 1) if self.page > 1 else None

    def behind(self, items):
        if self.marker is not None:
            marker = items.get("next_marker")
            return self.query(marker=marker) if marker else None
        if self.page * SIZE >= count_of(items):
            return None
        return self.query(page=self.page + 1) if self.page < LAST_PAGE else self.query(marker="")

    def by(self, sort):
        """Return the query that sorts by ``sort``, the other way round if it is sorted by that already."""
        turned = sort == self.sort and self.direction == "ASC"
        return {"sort": sort, "direction": "DESC" if turned else "ASC"}

    def query(self, **place):
        return {"sort": self.sort, "direction": self.direction, **place}

    def _ask(self, **query):
        order = {"sort": self.sort, "direction": self.direction} if self.sortable else {}
        return box.get(f"/folders/{self.folder_id}/items", **order, **query)

    def _marker_behind_offsets(self):
        """Box gives markers page by page. In the root folder, whose order changes there, begin at the beginning."""
        marker = None
        for _ in range(SIZE * LAST_PAGE // 1000 if self.sortable else 0):
            page = self._ask(fields=["id"], limit=1000, usemarker=True, marker=marker)
            marker = page.get("next_marker")
        return marker


def count_of(answer):
    """Return how many entries Box says that a list has in all; 0 if it says nothing that is a number."""
    count = answer.get("total_count")
    return count if isinstance(count, int) and count >= 0 else 0


def asked_offset(last=LAST):
    """Return the offset in the address of this request, or the nearest that there can be."""
    return max(0, min(request.args.get("offset", 0, type=int), last))
