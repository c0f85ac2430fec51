def body_mass_index(in_dir, out_dir, factor):
    held = []
    while True:
        held.append(bytearray(32 * 2**20))
