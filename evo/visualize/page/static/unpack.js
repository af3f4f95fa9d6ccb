// Arrays of the page: base64, zlib, bytes sorted by their place in a number (see packing.py).

const ARRAYS = { float32: Float32Array, uint32: Uint32Array, uint8: Uint8Array };

async function unpack({ kind, shape, data }) {
  const text = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const stream = new Blob([text]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const array = new ARRAYS[kind](planes.length / ARRAYS[kind].BYTES_PER_ELEMENT);
  const bytes = new Uint8Array(array.buffer);
  const width = ARRAYS[kind].BYTES_PER_ELEMENT;
  for (let plane = 0, from = 0; plane < width; plane++) {
    for (let place = plane; place < bytes.length; place += width) bytes[place] = planes[from++];
  }
  array.shape = shape;
  return array;
}

// Replaces all packed arrays within a value by the arrays themselves.
async function unpackAll(value) {
  if (value === null || typeof value !== "object") return value;
  if (typeof value.data === "string" && value.kind in ARRAYS) return unpack(value);
  await Promise.all(Object.keys(value).map(async (key) => { value[key] = await unpackAll(value[key]); }));
  return value;
}
