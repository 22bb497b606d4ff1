import type { Metrics } from '../metrics.ts';
import type { OutboxLog } from './outbox.ts';

interface Logger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

interface Options {
  /** MAIL_URL: in development, where mail goes to files, the log has the links too. */
  url: string;
  logger: Logger;
  mails: Metrics['mails'];
}

/** Only the codes of a mail server's answer: its text may repeat the address or the password that it refused. */
function detailsOf(error: unknown): object {
  const { code, command, responseCode } = error as Record<string, unknown>;
  return command === undefined || command === 'CONN'
    ? { err: error }
    : { code, command, status: responseCode };
}

/** Logs and counts what becomes of each mail. */
export function outboxLog({ url, logger, mails }: Options): OutboxLog {
  const toFiles = url.startsWith('file:');
  return {
    sent: ({ subject, action }) => {
      mails.inc({ outcome: 'sent' });
      logger.info(
        { event: 'mail.sent', subject, ...(toFiles && { link: action?.link }) },
        'mail.sent',
      );
    },
    retried: (error) => {
      mails.inc({ outcome: 'retried' });
      logger.warn({ event: 'mail.retried', ...detailsOf(error) }, 'mail.retried');
    },
    givenUp: (error) => {
      mails.inc({ outcome: 'given_up' });
      logger.error({ event: 'mail.given_up', ...detailsOf(error) }, 'mail.given_up');
    },
  };
}
