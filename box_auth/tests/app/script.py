"""A fork's script at its smallest: who is signed in, and what is in the root folder."""

import sys

from box_auth.script import WAIT, connect, printable, run


def main(wait=WAIT):
    box = connect(demo="box_emulator:embed", wait=wait)
    print(printable(box.user.login), printable(box.user.name))
    for item in box.client.folders.get_folder_items("0").entries or []:
        print(printable(item.type), printable(item.name))


if __name__ == "__main__":
    sys.exit(run(main))
