import type { Scope } from './scope.ts';
import { ServerProcess } from './server-process.ts';

/** Debian's Alertmanager on a port and a folder of its own. */
export class Alertmanager {
  readonly server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.server = server;
  }

  static async start(scope: Scope, config: string): Promise<Alertmanager> {
    const server = await ServerProcess.start(scope, {
      program: 'prometheus-alertmanager',
      files: { 'alertmanager.yml': config },
      args: (folder, address) => [
        `--config.file=${folder}/alertmanager.yml`,
        `--storage.path=${folder}/data`,
        `--web.listen-address=${address}`,
        '--cluster.listen-address=',
        '--log.level=warn',
      ],
    });
    return new Alertmanager(server);
  }

  /** host:port */
  get address(): string {
    return this.server.address;
  }
}
