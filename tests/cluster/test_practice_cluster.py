def test_the_shared_cluster_has_three_ready_nodes(cluster, kubectl_json):
    nodes = kubectl_json("get", "nodes")["items"]
    ready = [
        node
        for node in nodes
        for one in node["status"]["conditions"]
        if one["type"] == "Ready" and one["status"] == "True"
    ]
    assert len(ready) == 3
    assert nodes[0]["status"]["allocatable"]["ephemeral-storage"] == "1Ti"
