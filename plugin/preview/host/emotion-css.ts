/** @emotion/css for the whole page, with the nonce set before any module that makes a style while it is loaded. */
import { cache } from 'shadow-host:emotion-css';
import { styleNonce } from './nonce';

if (styleNonce !== undefined) {
  cache.sheet.nonce = styleNonce;
}

export * from 'shadow-host:emotion-css';
