"""Exports in the shapes that Binance's site has given over the years, made up."""

SPOT = "Date(UTC),Pair,Side,Price,Executed,Amount,Fee\n"
USDM = (
    "Uid,Time(UTC),Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Buyer,Maker,Trade ID,"
    "Order ID\n"
)
STATEMENT = "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n"

SPOT_OLD_SHAPE = (
    '"Date(UTC)","Pair","Side","Price","Executed","Amount","Fee"\n'
    '"2026-03-17 09:34:12","BTCUSDT","SELL","70100.0000000000","0.0099900000BTC",'
    '"700.29900000USDT","0.7002990000USDT"\n'
    '"2026-03-17 09:00:05","BTCUSDT","BUY","70,000.0000000000","0.0100000000BTC",'
    '"700.00000000USDT","0.0000100000BTC"\n'
)
SPOT_NEW_SHAPE = SPOT + (
    "2026-03-17 09:34:12,BTCUSDT,SELL,70100,0.00999BTC,700.299USDT,0.700299USDT\n"
    "2026-03-17 09:00:05,BTCUSDT,BUY,70000,0.01BTC,700USDT,0.00001BTC\n"
)
SPOT_LOCAL = (
    "Time,Pair,Side,Price,Executed,Amount,Fee\n"
    "26-03-17 18:34:12,BTCUSDT,SELL,70100,0.0099900000BTC,700.29900000USDT,0.70029900USDT\n"
    "26-03-17 18:00:05,BTCUSDT,BUY,70000,0.0100000000BTC,700.00000000USDT,0.0000100000BTC\n"
)
SPOT_LOCAL_NAME = "Binance-Spot-Trade-History-202603180000(UTC+9)_ab12.csv"
USDM_LOCAL = USDM.replace("(UTC)", "") + (
    "1,26-03-17 18:34:12,BTCUSDT,SELL,73900,0.01,739,0.29560000 USDT,1,false,false,419925076,2\n"
    "1,26-03-17 18:00:05,BTCUSDT,BUY,73800,0.01,738,0.29520000 USDT,0,true,false,419925075,1\n"
)
SAME_SECOND = SPOT + "".join(
    f"2026-03-02 {hour:02}:00:00,BTCUSDT,SELL,{hour}010,0.001BTC,{hour}.01USDT,0USDT\n"
    f"2026-03-02 {hour:02}:00:00,BTCUSDT,BUY,{hour}000,0.001BTC,{hour}USDT,0USDT\n"
    for hour in (10, 9, 8, 7)
)
HEDGE = USDM + (
    "1,2026-03-17 09:00:00,BTCUSDT,BUY,100,1,100,0 USDT,0,true,false,1,1\n"
    "1,2026-03-17 09:01:00,BTCUSDT,SELL,110,1,110,0 USDT,0,false,false,2,2\n"
    "1,2026-03-17 09:02:00,BTCUSDT,SELL,120,1,120,0 USDT,20,false,false,3,3\n"
    "1,2026-03-17 09:03:00,BTCUSDT,BUY,105,1,105,0 USDT,5,true,false,4,4\n"
)
MANY_OPERATIONS = STATEMENT + "".join(
    f"1,2024-01-{line}\n"
    for line in (
        "01 09:00:00,Spot,Deposit,USDT,1000,",
        "02 10:00:00,Spot,Buy,BTC,0.001,",
        "02 10:00:00,Spot,Transaction Related,USDT,-40,",
        "02 10:00:00,Spot,Fee,BNB,-0.00001,",
        "03 10:00:00,Spot,Simple Earn Flexible Subscription,BTC,-0.001,",
        "09 10:00:00,Earn,Simple Earn Flexible Interest,BTC,0.000001,",
        "10 10:00:00,Spot,Simple Earn Flexible Redemption,BTC,0.001,",
        "11 10:00:00,Spot,Token Swap - Redenomination/Rebranding,OLD,-10,",
        "11 10:00:00,Spot,Token Swap - Redenomination/Rebranding,NEW,10000,",
        "12 10:00:00,Funding,P2P Trading,USDT,100,",
        "12 10:05:00,Funding,Transfer Between Main and Funding Wallet,USDT,-100,",
        "12 10:05:00,Spot,Transfer Between Main and Funding Wallet,USDT,100,",
        "13 10:00:00,USD-M Futures,Funding Fee,USDT,-0.5,",
        "13 10:00:00,USD-M Futures,Realized Profit and Loss,USDT,12.5,",
        "14 10:00:00,Spot,Commission Rebate,BNB,0.0001,",
        "15 10:00:00,Spot,Fiat Deposit,EUR,50,",
        "16 10:00:00,Spot,Something Unheard Of,BTC,-0.5,",
    )
)
STATEMENT_SAME_SECOND = STATEMENT + "".join(
    f"1,{line},\n"
    for line in (
        "2017-12-20 20:00:00,Spot,Deposit,ETH,5",
        "2017-12-23 21:29:46,Spot,Sell,ETH,-0.03135060",
        "2017-12-23 21:29:46,Spot,Buy,ZRX,30.00000000",
        "2017-12-23 21:29:46,Spot,Fee,ZRX,-0.03000000",
        "2017-12-23 21:29:46,Spot,Sell,ETH,-0.03135060",
        "2017-12-23 21:29:46,Spot,Buy,ZRX,30.00000000",
        "2017-12-23 21:29:46,Spot,Fee,ZRX,-0.03000000",
        "2017-12-23 21:29:46,Spot,Buy,ZRX,510.00000000",
        "2017-12-23 21:29:46,Spot,Fee,ZRX,-0.51000000",
        "2017-12-23 21:29:46,Spot,Sell,ETH,-0.53230740",
        "2019-07-22 09:55:30,Spot,Small assets exchange BNB,STEEM,-0.00400000",
        "2019-07-22 09:55:30,Spot,Small assets exchange BNB,TRX,-0.90000000",
        "2019-07-22 09:55:30,Spot,Small assets exchange BNB,BNB,0.00070000",
    )
)
INCOME = (
    "Time(UTC),Type,Amount,Asset,Symbol,Transaction ID\n"
    "2026-03-17 08:00:00,FUNDING_FEE,-0.15,USDT,BTCUSDT,9001\n"
    "2026-03-17 09:34:12,REALIZED_PNL,1,USDT,BTCUSDT,9002\n"
    "2026-03-17 09:34:12,COMMISSION,-0.2956,USDT,BTCUSDT,9003\n"
)
CONVERT = (
    "Time,Wallet,Pair,Type,Sell,Buy,Price,Inverse Price,Date Updated,Status\n"
    "26-05-11 00:44:32,SPOT,ETHUSDT,Instant,124.60184573 USDT,0.03158115 ETH,1 ETH = 3945.45 USDT,"
    "1 USDT = 0.000253 ETH,26-05-11 00:44:33,Successful\n"
)
DEPOSIT = (
    "Time,Coin,Network,Amount,Address,TXID,Status\n"
    "26-05-06 23:05:55,USDT,MATIC,125.564991,0xaddr,0xtx,Completed\n"
)
WITHDRAWAL = (
    "Date(UTC),Coin,Network,Amount,TransactionFee,Address,TXID,SourceAddress,PaymentID,Status\n"
    "2026-01-02 10:00:00,BTC,BTC,0.5,0.0005,addr,tx,,,Completed\n"
)
ORDERS = (
    "Uid,Time,Order No,Symbol,Type,Side,Price,Average Price,Amount,Executed Amount,"
    "Executed Quote Amount,Stop Price,Status,Update Time\n"
    "1,2026-03-17 09:00:05,1,BTCUSDT,LIMIT,BUY,50000,0,1,0,0,0,CANCELED,2026-03-17 09:10:05\n"
)
COINM = USDM + (
    "1,2026-03-17 09:00:05,BTCUSD_PERP,BUY,50000,100,0.2,0.00010000 BTC,0,true,false,501,601\n"
)
VIETNAMESE = (
    "Uid,Thời gian,Mã,Bên,Giá,Số lượng,Số tiền,Phí,Lợi nhuận đã thực hiện,Người mua,Người tạo,"
    "ID giao dịch,ID lệnh\n"
    "1,2023-06-28 16:56:20,BTCUSDT,SELL,30288.9,0.003,90.8667,0.03634668 USDT,0,false,false,11,21\n"
    "1,2023-06-29 17:34:04,BTCUSDT,BUY,30673.9,0.003,92.0217,0.00000000 USDT,-1.155,true,false,12,"
    "22\n"
)
SITE_WITHOUT_IDS = (
    "Date(UTC),Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Quote Asset\n"
    "2024-01-02 10:00:00,BTCUSDT,BUY,40000,0.001,40,0.016,0,USDT\n"
    "2024-01-02 11:00:00,BTCUSDT,SELL,41000,0.001,41,0.0164,1,USDT\n"
)
SITE_2021 = (
    "Date(UTC),Market,Type,Price,Amount,Total,Fee,Fee Coin\n"
    "2021-01-02 10:00:00,BTCUSDT,BUY,29000.01,0.001,29.00001,0.00002,BNB\n"
)
# every shape that is taken, for what is done to all of them
ALL = {
    "spot.csv": SPOT_NEW_SHAPE,
    "old.csv": SPOT_OLD_SHAPE,
    SPOT_LOCAL_NAME: SPOT_LOCAL,
    "usdm(UTC+9).csv": USDM_LOCAL,
    "hedge.csv": HEDGE,
    "statement.csv": MANY_OPERATIONS,
    "second.csv": STATEMENT_SAME_SECOND,
    "income.csv": INCOME,
    "convert(UTC).csv": CONVERT,
    "deposit(UTC).csv": DEPOSIT,
    "withdrawal.csv": WITHDRAWAL,
    "ids.csv": SITE_WITHOUT_IDS,
    "2021.csv": SITE_2021,
    "vn(UTC+7).csv": VIETNAMESE,
    "orders.csv": ORDERS,
    "coinm.csv": COINM,
}
