print("ett")
