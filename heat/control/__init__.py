"""The control socket: protocol, server and clients."""
