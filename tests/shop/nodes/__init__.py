"""Real nodes of the chains: started once per session on 127.0.0.1, gone with whoever started them."""
