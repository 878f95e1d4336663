// Owns whether a growing box stays scrolled to its end: until the reader scrolls up, and again once they are back.
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';

/** Nearer than this to the end counts as there. */
const NEAR_PX = 48;

export interface StickToEnd {
  /** Of the box that scrolls, and of what grows in it. */
  readonly box: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  readonly atEnd: boolean;
  readonly toEnd: () => void;
}

/** Goes to the end when `of` changes (something else is shown) and when `count` does (something was asked). */
export function useStickToEnd(of: string, count: number): StickToEnd {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = useCallback(() => {
    sticks.current = true;
    setAtEnd(true);
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, []);
  useLayoutEffect(toEnd, [of, count, toEnd]);
  useEffect(() => {
    const [outer, inner] = [box.current, content.current];
    if (outer === null || inner === null) return;
    let lastTop = outer.scrollTop;
    const onScroll = (): void => {
      const isNear = outer.scrollHeight - outer.scrollTop - outer.clientHeight < NEAR_PX;
      // Growth alone moves nothing up: only the reader does.
      if (isNear) sticks.current = true;
      else if (outer.scrollTop < lastTop) sticks.current = false;
      lastTop = outer.scrollTop;
      setAtEnd(sticks.current);
    };
    const grown = new ResizeObserver(() => {
      if (sticks.current) outer.scrollTo({ top: outer.scrollHeight });
    });
    grown.observe(inner);
    grown.observe(outer);
    outer.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      grown.disconnect();
      outer.removeEventListener('scroll', onScroll);
    };
  }, []);
  return { box, content, atEnd, toEnd };
}
