"""The app of this checkout as it is, but for the length of its lists: 100 items, as the others have."""

import app as starter
import files.listing

starter.SIZE = files.listing.SIZE = 100
app = starter.app
