// The mark of a part of the plot, as legend and tooltip show it: the line or the marker itself.
import React from 'react';
import type { Kind } from './fills';
import { CORNERS } from './markers';
import type { Part } from './palette';
import { isKind } from './palette';

interface Props {
  readonly part: Part;
  readonly color: string;
}

export function Glyph({ part, color }: Props) {
  return (
    <svg width={14} height={14} viewBox="-7 -7 14 14" aria-hidden focusable={false} style={{ flex: 'none' }}>
      {isKind(part) ? <Marker kind={part} color={color} /> : <Line part={part} color={color} />}
    </svg>
  );
}

function Marker({ kind, color }: { kind: Kind; color: string }) {
  if (CORNERS[kind].length === 0) {
    return <circle r={4.5} fill={color} />;
  }
  return <polygon points={CORNERS[kind].map(([x, y]) => `${5.5 * x},${5.5 * y}`).join(' ')} fill={color} />;
}

function Line({ part, color }: Props) {
  const isQuote = part === 'quoteBuy' || part === 'quoteSell';
  return (
    <>
      {part === 'offset' && <rect x={-7} y={-4} width={14} height={8} fill={color} opacity={0.3} />}
      <line x1={-7} x2={7} stroke={color} strokeWidth={2} strokeDasharray={isQuote ? '4 2' : undefined} />
    </>
  );
}
