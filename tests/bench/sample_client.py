"""A loop as samples show it: one post, wait for its ack. ``python -m tests.bench.sample_client URL POSTS``."""

import json
import sys
import time

import websocket


def contribute(url: str, posts: int) -> None:
    """Prints the seconds that the posts took."""
    connection = websocket.create_connection(url, subprotocols=["tr_json2"])
    elements = {"ApplicationId": "256", "Position": "127.0.0.1"}
    connection.send(json.dumps({"ID": 1, "Domain": "Login", "Key": {"Name": "bench", "Elements": elements}}))
    _wait_for(connection, "Refresh")
    start = time.perf_counter()
    for number in range(posts):
        key = {"Name": f"P{number:06d}=TRCC", "Service": "TRCC"}
        fields = {"BID": round(1.08 + number % 1000 / 1e5, 5), "ASK": round(1.0802 + number % 1000 / 1e5, 5)}
        payload = {"ID": 0, "Type": "Update", "Domain": "MarketPrice", "Key": key, "Fields": fields}
        post = {
            "ID": 1,
            "Type": "Post",
            "Domain": "MarketPrice",
            "Ack": True,
            "PostID": number + 1,
            "PostUserInfo": {"Address": "127.0.0.1", "UserID": 256},
            "Key": key,
            "Message": payload,
        }
        connection.send(json.dumps(post))
        _wait_for(connection, "Ack")
    print(time.perf_counter() - start, 0, flush=True)  # noqa: T201 - its parent reads it
    connection.close()


def _wait_for(connection: websocket.WebSocket, kind: str) -> None:
    while all(message["Type"] != kind for message in json.loads(connection.recv())):
        pass


if __name__ == "__main__":
    contribute(sys.argv[1], int(sys.argv[2]))
