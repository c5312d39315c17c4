import json

d = 600
print(json.dumps({"target": {"name": "gaussian", "mean": [0]*d, "cov": [[(2 if i % 2 else 0.5)*(i == j) for j in range(d)] for i in range(d)]}, "schemes": ["SO"], "h": [1], "T": 2}))
