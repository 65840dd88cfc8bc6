"""The tr_json2 wire format (LSEG WebSocket API): encode requests and posts, decode frames. Pure."""
