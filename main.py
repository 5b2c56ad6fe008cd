"""The quick test: sign in with Box once, then see who you are and what is in your root folder."""

import sys

from box_auth.script import WAIT, connect, printable, run


def main(wait: float = WAIT) -> None:
    # Opens a browser the first time. The sign-in is kept, and renewed when needed, until it rests for 60 days.
    box = connect(demo="box_emulator:embed", wait=wait)  # delete demo once your own Box app is connected

    print(f"You are {printable(box.user.name)} ({printable(box.user.login)}). Your root folder holds:")
    for item in box.client.folders.get_folder_items("0").entries or []:
        print(f"  {printable(item.type):8}  {printable(item.name)}")


if __name__ == "__main__":
    sys.exit(run(main))
