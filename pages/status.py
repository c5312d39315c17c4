"""How the server is, for whoever has its token: /status?token=…"""

from dlab.ui import status

status.show()
