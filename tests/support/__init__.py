"""What tests share: small pictures, meshes, networks and fits."""
