import { suite } from '../suite.ts';

suite(
  '!(lost-database|rolling-upgrade|start-faults|unsafe-*|unwritable|workers)',
  '{browser,commands,generators,operation}/*',
);
