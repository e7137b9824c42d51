import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ShadowError } from './errors.ts';

/** Opens the port; 0 takes a free one. Answers with http://host:port. Throws SHADOW_ERR_PORT, which names the flag that chooses another. */
export async function listen(server: Server, host: string, port: number, flag: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot listen on ${host}:${port}: ${cause.message}; choose another with --${flag}, 0 for a free one`;
      reject(new ShadowError('SHADOW_ERR_PORT', message, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
}

/** Ends every connection and frees the port. */
export async function stopListening(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
