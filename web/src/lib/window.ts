// Which rows of a long list are to be seen. Browsers cannot make elements of any height, so that
// beyond a bound a pixel of scrolling stands for more than a pixel of rows.

/** Well below the least bound of the common browsers (Firefox: 17.8 million). */
export const HEIGHT_MAX = 12_000_000;
const SPARE_ROWS = 6;

export interface Window {
  /** Of the element that is scrolled. */
  height: number;
  first: number;
  last: number;
  /** Where row `first` stands in it. */
  top: number;
}

export function windowOf(total: number, rowHeight: number, scrollTop: number, viewHeight: number): Window {
  const whole = total * rowHeight;
  const height = Math.min(whole, HEIGHT_MAX);
  const scrollable = Math.max(1, height - viewHeight);
  const at = height === whole ? scrollTop : (Math.min(scrollTop, scrollable) / scrollable) * (whole - viewHeight);
  const first = Math.max(0, Math.floor(at / rowHeight) - SPARE_ROWS);
  const last = Math.min(total - 1, Math.ceil((at + viewHeight) / rowHeight) + SPARE_ROWS);
  return { height, first, last, top: scrollTop + first * rowHeight - at };
}

/** The scroll position that shows row `index`, or the present one when it is to be seen already. */
export function scrollTo(index: number, total: number, rowHeight: number, scrollTop: number, viewHeight: number): number {
  const whole = total * rowHeight;
  const height = Math.min(whole, HEIGHT_MAX);
  const scale = height === whole ? 1 : (whole - viewHeight) / Math.max(1, height - viewHeight);
  const at = scrollTop * scale;
  const top = index * rowHeight;
  if (top < at) return top / scale;
  if (top + rowHeight > at + viewHeight) return (top + rowHeight - viewHeight) / scale;
  return scrollTop;
}
