const { imul } = Math;

/**
 * A uniform draw in (0, 1) that depends on nothing but its three keys, so that a replay, or a run with one order more,
 * draws the same latency for the same order. The mixing function is SplitMix64's finalizer cut to 32 bits ("lowbias32",
 * C. Wellons, "Prospecting for Hash Functions", 2018).
 */
export function uniformDraw(seed: number, orderId: number, operation: number): number {
  let hash = mix((seed >>> 0) ^ 0x9e3779b9);
  hash = mix(hash ^ (orderId >>> 0));
  hash = mix(hash ^ imul(operation + 1, 0x85ebca6b));
  return (hash + 0.5) / 4_294_967_296;
}

function mix(value: number): number {
  let x = value >>> 0;
  x = imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}
