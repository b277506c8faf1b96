"""One libtorrent node on loopback, for `xorbit-bench serve --peers`. Ends when its standard input closes."""

import libtorrent_session


def main():
    session, port = libtorrent_session.open_session()
    print(f"libtorrent {libtorrent_session.lt.__version__} listening on 127.0.0.1:{port}", flush=True)
    libtorrent_session.wait_until_closed()
    # Dropping the last reference would wait for trackers and peers that are not there.
    del session


if __name__ == "__main__":
    main()
