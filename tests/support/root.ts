/** The folder of the project. */
export const ROOT = new URL('../../', import.meta.url);
