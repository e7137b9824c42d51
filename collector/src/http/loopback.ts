/** Whether a Host header, with a port or without, names the machine itself. Any other name that leads here may be a stranger's (DNS rebinding). */
export const isLoopbackHost = (host: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
