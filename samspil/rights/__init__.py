"""What a person may ask for: to see what is held and was sent (indsigt), and to be erased (sletning). And retention."""
