const NOT_FILLED_IN = '%NONCE%';

const content = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';

/** The nonce of the page for its styles; undefined where the page is served without one. */
export const styleNonce = content === '' || content === NOT_FILLED_IN ? undefined : content;
