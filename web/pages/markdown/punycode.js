/** Decodes the labels of internationalised host names (RFC 3492), for which browsers offer no function. */

const [BASE, T_MIN, T_MAX, SKEW, DAMP, FIRST_BIAS, FIRST_CODE] = [36, 1, 26, 38, 700, 72, 128];
const LAST_CODE = 0x10ffff;

/** The letters of a label without its "xn--", or null if it is no valid Punycode. */
export function decodePunycode(label) {
  const end = label.lastIndexOf('-');
  const letters = end > 0 ? [...label.slice(0, end)].map((sign) => sign.codePointAt(0)) : [];
  let [code, index, bias] = [FIRST_CODE, 0, FIRST_BIAS];
  for (let at = end > 0 ? end + 1 : 0; at < label.length; ) {
    const start = index;
    for (let weight = 1, step = BASE; ; step += BASE) {
      const digit = parseInt(label[at], BASE);
      if (Number.isNaN(digit)) return null;
      at += 1;
      // parseInt counts 0–9 first, Punycode a–z.
      const value = digit < 10 ? digit + 26 : digit - 10;
      index += value * weight;
      const threshold = Math.min(T_MAX, Math.max(T_MIN, step - bias));
      if (value < threshold) break;
      weight *= BASE - threshold;
    }
    const length = letters.length + 1;
    bias = adapt(index - start, length, start === 0);
    code += Math.floor(index / length);
    index %= length;
    if (code > LAST_CODE) return null;
    letters.splice(index, 0, code);
    index += 1;
  }
  return String.fromCodePoint(...letters);
}

function adapt(delta, length, isFirst) {
  let rest = isFirst ? Math.floor(delta / DAMP) : delta >> 1;
  rest += Math.floor(rest / length);
  let bias = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; bias += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return bias + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}
