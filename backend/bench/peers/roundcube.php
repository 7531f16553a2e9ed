<?php
$config = [];
$config['db_dsnw'] = 'sqlite:///{folder}/state/roundcube.db?mode=0640';
$config['imap_host'] = '127.0.0.1:{imap}';
$config['smtp_host'] = '127.0.0.1:{smtp}';
$config['des_key'] = '{key}';
$config['plugins'] = [];
$config['skin'] = 'elastic';
$config['log_dir'] = '{folder}/state/';
$config['temp_dir'] = '{folder}/state/';
// All who are measured sign in within a minute, from one address.
$config['login_rate_limit'] = 100000;
