import { common } from './common';
import { reading } from './reading';
import { rooms } from './rooms';
import { shell } from './shell';
import { trust } from './trust';
import { writing } from './writing';

export const en = { common, reading, rooms, shell, trust, writing };
